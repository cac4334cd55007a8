"""Who and what the demo's cases are about: customers with their cars, and applicants. All of them are invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Car:
    """A customer, the car, what is wrong with it, and what that costs in yuan."""

    customer: str
    plate: str
    model: str
    type: str
    complaint: str
    fault: str
    item: str
    price: int
    trades: tuple[str, ...] = ("mechanical",)

    @property
    def values(self) -> dict[str, Any]:
        """What goes into the fields of forms, by their keys."""
        return {
            "customerName": self.customer,
            "customerPhone": phone(self.plate),
            "customerAddress": "深圳市罗湖区春风路 18 号",
            "plateNumber": self.plate,
            "vehicleModel": self.model,
            "vehicleType": self.type,
            "customerRequest": self.complaint,
            "faultFound": self.fault,
            "diagnosisResult": self.fault,
            "repairSuggestion": f"建议{self.item}",
            "diagnosisDifficulty": "故障时有时无，接待车位无法重现",
            "repairItems": [
                {"item": self.item, "content": self.fault, "price": self.price},
                {"item": "全车安全检查", "content": "例行检查", "price": 0},
            ],
            "repairTrades": list(self.trades),
            "contractSignedBy": self.customer,
            "articlesSignedBy": self.customer,
            "differenceSignedBy": self.customer,
            "pickupPerson": self.customer,
            "pickupSignedBy": self.customer,
            "noticeReceivedBy": self.customer,
            "workRecord": f"已{self.item}，试车正常",
            "laborAmount": self.price // 3,
            "partsAmount": self.price - self.price // 3,
        }


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who applies for work."""

    name: str
    department: str
    position: str
    residence: str = "local"
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """What goes into the fields of forms, by their keys."""
        return {
            "applicantName": self.name,
            "employeeName": self.name,
            "phone": phone(self.name),
            "department": self.department,
            "position": self.position,
            "residence": self.residence,
            "education": "大专",
            "technicalTitle": "",
            "experience": "汽修厂三年工作经历",
            **self.details,
        }


def phone(of: str) -> str:
    """Return a telephone number of the kind that nobody has, the same for the same text."""
    return f"1380000{sum(ord(letter) * place for place, letter in enumerate(of, 1)) % 10000:04}"


CARS = (
    Car("周建明", "粤B3K57Q", "大众朗逸 1.5L", "sedan", "冷车起步时有异响", "正时链条松动", "更换正时链条", 2680),
    Car("林晓彤", "粤B81F2M", "丰田凯美瑞 2.0", "sedan", "空调不冷", "空调压缩机漏氟", "更换空调压缩机", 1950),
    Car("黄志强", "粤B5T90D", "本田 CR-V", "suv", "刹车时方向盘抖动", "前制动盘变形", "更换前制动盘", 1280),
    Car("陈丽华", "粤BD20417", "比亚迪秦 PLUS", "sedan", "保养到期", "无故障", "两万公里保养", 560, ("maintenance",)),
    Car(
        "深圳鹏程物流公司",
        "粤B77J3R",
        "福特全顺",
        "van",
        "追尾，尾门关不上",
        "尾门与后保险杠变形",
        "尾门钣金修复",
        4300,
        ("body", "paint"),
    ),
    Car("吴晓东", "粤B0W65H", "日产轩逸", "sedan", "仪表亮发动机故障灯", "氧传感器失效", "更换氧传感器", 780),
    Car("郑美玲", "粤B96C8L", "别克 GL8", "van", "行驶中底盘异响", "下摆臂胶套老化", "更换下摆臂", 1640),
    Car("刘海涛", "粤B2N41X", "奥迪 A4L", "sedan", "右前门被刮花", "右前门漆面划伤", "右前门喷漆", 1200, ("paint",)),
    Car("何秋生", "粤B68P7E", "长安 CS75", "suv", "油耗明显升高", "喷油嘴积碳", "清洗喷油嘴", 480),
    Car("许文静", "粤B14G9S", "丰田卡罗拉", "sedan", "电瓶亏电，早上打不着火", "蓄电池老化", "更换蓄电池", 620),
    Car("罗志伟", "粤B35V6A", "五菱宏光", "van", "变速箱挂挡困难", "离合器片磨损", "更换离合器三件套", 1380),
    Car("蔡国华", "粤B90M1T", "宝马 320Li", "sedan", "冷却液温度过高", "节温器卡滞", "更换节温器", 1760),
    Car("彭小燕", "粤BF61582", "特斯拉 Model 3", "sedan", "后备厢漏水", "尾门密封条老化", "更换密封条", 430, ("body",)),
    Car("叶宏", "粤B47R2K", "哈弗 H6", "suv", "年审前检查", "灯光偏低", "灯光调校", 260, ("maintenance",)),
    Car("深圳南山出租车公司", "粤BT2093", "大众桑塔纳", "sedan", "怠速不稳", "节气门过脏", "清洗节气门", 320),
    Car("邹家豪", "粤B52H8N", "三菱帕杰罗", "suv", "四驱灯闪烁", "分动箱传感器故障", "更换分动箱传感器", 2350),
    Car(
        "梁淑芬",
        "粤B83Y4B",
        "本田飞度",
        "sedan",
        "左后轮胎慢撒气",
        "轮胎扎钉",
        "补胎并做四轮定位",
        280,
        ("maintenance",),
    ),
    Car("谭伟民", "粤B21D7W", "吉利博越", "suv", "高速跑偏", "四轮定位失准", "四轮定位", 380),
    Car("关志荣", "粤B66L0C", "江淮帅铃", "truck", "排气管冒黑烟", "增压器漏油", "更换增压器", 5200),
    Car("杜雅琴", "粤B39S5F", "马自达 3", "sedan", "雨刮刮不干净", "雨刮片老化", "更换雨刮片", 160, ("maintenance",)),
    Car(
        "高振宇",
        "粤B74X1P",
        "奔驰 C200L",
        "sedan",
        "前部碰撞",
        "前保险杠与大灯支架断裂",
        "前部钣金喷漆",
        8600,
        ("body", "paint", "mechanical"),
    ),
    Car("曾小玲", "粤B18E6G", "雪佛兰科鲁兹", "sedan", "转向沉", "转向助力泵漏油", "更换转向助力泵", 1450),
    Car("贺建军", "粤B57Q3Z", "丰田普拉多", "suv", "四万公里保养", "无故障", "四万公里保养", 1180, ("maintenance",)),
    Car("廖婷婷", "粤BD75390", "小鹏 G3", "suv", "充电口盖打不开", "充电口执行器失效", "更换充电口执行器", 540),
    Car(
        "康明",
        "粤B08K4J",
        "起亚 K3",
        "sedan",
        "后排安全带不回卷",
        "安全带卷收器卡滞",
        "更换安全带卷收器",
        690,
        ("body",),
    ),
    Car("邵丽萍", "粤B92A7V", "沃尔沃 XC60", "suv", "天窗异响", "天窗导轨缺油", "清洗润滑天窗导轨", 350, ("body",)),
)

APPLICANTS = (
    Applicant("田志鹏", "车间", "机电维修工"),
    Applicant("魏佳", "业务部", "业务接待员"),
    Applicant("石磊", "车间", "钣金工", "nonLocal", {"permitCopiesReceived": 2}),
    Applicant("方雯", "财务部", "出纳"),
    Applicant("范永强", "配件部", "配件管理员"),
    Applicant("江雪", "业务部", "跟踪业务员"),
    Applicant("常浩", "技术部", "技术检验员"),
    Applicant("丁敏", "办公室", "文员"),
    Applicant("龚小波", "车间", "喷漆工", "nonLocal", {"permitCopiesReceived": 2}),
    Applicant("贾红梅", "车间", "洗车工"),
)
